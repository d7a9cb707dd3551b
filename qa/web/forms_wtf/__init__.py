"""What pages take from people, as WTForms."""
