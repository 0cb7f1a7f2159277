-- summed --
-- How many rows, and a sum over them that does not care for their order.
select count(*) as rows, sum(hash(mart)::hugeint) as sum from {{ table }} as mart;
