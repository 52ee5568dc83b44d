"""`glotmill filter`: the filters on anyone's data, in parts, on all cores."""
