"""Live: from a camera or a stream to targets, with never a raw frame among what leaves."""
