"""Price of gold by the National Bank of Poland."""
