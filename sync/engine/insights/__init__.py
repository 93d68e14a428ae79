"""Copy daily metrics: which days are due, slice by slice, through reports that take their time."""
