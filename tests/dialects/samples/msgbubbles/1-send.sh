curl -X POST https://api.msgbubbles.com/v1/messages \
-H "Authorization: Bearer sk_live_…" \
-H "content-type: application/json" \
-H "Idempotency-Key: order-1042-confirmation" \
-d '{
"to": "+15555550123",
"from_handle": "+18005551111",
"text": "your order shipped!"
}'
