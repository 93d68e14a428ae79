"""Google Ads' REST API: campaigns, ad groups and ads of one customer, through GAQL."""
