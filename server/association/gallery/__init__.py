"""The gallery (写真): albums of gatherings to which neighbours add photos, and out of which everybody may be taken.

Called by doors; an album is a message in the board's room, its photos stand in its thread for every Matrix client. It
knows no other feature, and keeps no original where its uploader has withdrawn it.
"""
