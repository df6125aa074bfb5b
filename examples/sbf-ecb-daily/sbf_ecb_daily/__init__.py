"""Euro reference rates of the day from the XML feed of the ECB."""
