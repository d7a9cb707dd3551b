"""The blocks of a report: texts, tables and charts in the reader's language."""
