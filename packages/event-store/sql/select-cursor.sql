select relay_cursors.xid, relay_cursors.position, epoch.epoch
from relay_cursors, epoch
where relay_cursors.source = $1
