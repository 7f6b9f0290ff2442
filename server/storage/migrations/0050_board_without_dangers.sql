-- What is dangerous is a hazard report (0038), no category of the board. Posts of that category stay, as news.
UPDATE board_posts SET category = 'news' WHERE category = 'danger';
