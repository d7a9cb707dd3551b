"""Forms that pages post, parsed and validated with WTForms: one file per stage."""
