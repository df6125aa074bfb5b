-- Which text the macros of the table have that look back; those of older releases are written anew by the next run.
ALTER TABLE ops.table_declarations ADD COLUMN macros INTEGER DEFAULT 1;
