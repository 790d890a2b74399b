-- What the signature doctor found out about a refused request, as JSON; it comes after the row.
ALTER TABLE rejected ADD COLUMN doctor TEXT;
