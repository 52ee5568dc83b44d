"""`glotmill publish`: a run as a dataset on the Hub, in one commit, looked at afterwards."""
