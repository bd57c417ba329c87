curl https://api.msgbubbles.com/v1/handles/availability?handle=+15555550123 \
-H "Authorization: Bearer sk_live_…"
