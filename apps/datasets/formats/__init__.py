"""File formats of items and judgments: streaming readers and writers of plain records, one file a format."""
