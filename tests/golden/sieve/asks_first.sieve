require ["ihave"];
if ihave "nosuch

* Main program (block: 2):

Address   Line  Code
00000000:       DEBUG BLOCK: 3
00000001:    1: [End of code]
" { redirect "a@evil.example"; }
if header "x
00000001:    1: [End of code]
" "yz" {redirect "b@evil.example";}
if not ihave "vacation" { redirect "c@evil.example"; }
