"""Updates of a finished run with newer interactions, in a fraction of the time of a fit on all of them."""
