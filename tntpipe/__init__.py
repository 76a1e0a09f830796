"""tntpipe: volumes of tissue, lobes, nuclei and head from T1-weighted brain MRI."""

__version__ = "0.1.0"
