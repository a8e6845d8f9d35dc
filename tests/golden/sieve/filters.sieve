require ["fileinto","mailbox","imap4flags","body","regex","relational","comparator-i;ascii-numeric","date","index","duplicate","environment","subaddress","encoded-character","variables","copy"];
if duplicate { discard; stop; }
if header :index 1 :last :value "ge" :comparator "i;ascii-numeric" "x-score" "5" { fileinto :copy :flags "\\Flagged" :create "Junk"; }
if allof (address :domain :matches "from" "*.example", not address :detail "to" "x") { setflag "\\Seen"; addflag "a"; removeflag "b"; }
if hasflag "a" { keep; }
if body :raw :contains "redirect" { fileinto "redirect"; }
if date :zone "+0100" "date" "hour" "09" { keep; }
if currentdate :is "weekday" "0" { keep; }
if environment :is "name" "x" { keep; }
set :upper "v" "redirect";
if string :is "${v}" "REDIRECT" { fileinto "A"; }
if mailboxexists "A" { fileinto "A"; }
if size :under 10K { keep; }
if true { keep; }
