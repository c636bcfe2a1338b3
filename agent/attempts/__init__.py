"""The attempts that an agent drives: started, shipped, judged, ended, and told to the store."""
