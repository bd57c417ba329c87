curl -X GET https://backend.blooio.com/v2/api/me \
-H "Authorization: Bearer YOUR_API_KEY"
