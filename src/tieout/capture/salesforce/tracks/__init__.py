"""How far each way of reading an object has come. Its state lies in the footers of batches, so it is proven."""
