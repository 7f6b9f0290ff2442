"""Many associations on one machine: as many nodes, each a process of its own, with people who wait and answer."""
