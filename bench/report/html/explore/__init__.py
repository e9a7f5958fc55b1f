"""`bench report`: all records in one HTML page that can be explored offline."""
