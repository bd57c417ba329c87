curl -X GET https://chat.buzzedtech.com/api/messages/+1234567890 \
  -H "Authorization: Bearer YOUR_API_KEY"
