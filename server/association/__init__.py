"""What a neighbourhood association (町内会) does: members, circulars, polls, safety checks, gatherings …

Doors call the verbs of its features, and a feature may import ``members`` but no other feature. It never knows of
HTTP, and it reaches rooms only through verbs that the public Matrix API has as well.
"""
