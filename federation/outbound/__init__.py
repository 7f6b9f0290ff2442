"""What we want of other servers: their rooms, what we missed of ours, and what must go out to them."""
