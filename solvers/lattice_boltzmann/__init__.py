"""Flow by lattice Boltzmann: populations of a few velocities, which move from cell to cell and collide there."""
