require ["vacation"];
vacation :days 7 :subject "Away" :addresses ["mia@acme.example"] "Back on Monday.
Mia";
