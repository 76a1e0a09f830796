"""BIDS: selection of scans, names of derivatives, descriptions of datasets; the home of pybids."""
