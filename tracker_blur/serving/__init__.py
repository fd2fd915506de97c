"""What every page and every interface over HTTP shares: who may ask, how much, and for how long."""
