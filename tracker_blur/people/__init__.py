"""People: whose face is whose, from embeddings, to keep or to hide chosen people.

An embedding is 128 numbers that are alike for the faces of one person. All of them stay in memory:
nothing biometric is ever written.
"""
