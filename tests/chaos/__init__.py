"""Everything at once: load through ten processes while processes, servers, links, KIE and Telegram fail by a seed."""
