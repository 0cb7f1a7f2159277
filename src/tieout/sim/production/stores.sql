-- create_database --
-- Where all of a demo's tables shall stand.
create database {{ database }};
