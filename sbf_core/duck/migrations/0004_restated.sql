-- Set while the past of a series must be fetched again, because its vendor restated all of it: the first day to ask for.
ALTER TABLE ops.data_dates ADD COLUMN again_from DATE;
