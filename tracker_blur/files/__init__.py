"""Files by their names: what is one, where it lies, what its output is called."""
