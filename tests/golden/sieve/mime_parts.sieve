require ["foreverypart", "mime", "extracttext", "variables", "fileinto"];
foreverypart {
    if header :mime :anychild :contenttype "content-type" "text/html" { extracttext :first 100 "t"; break; }
    foreverypart { redirect "mia@home.example"; }
}
if header :mime :param "filename" :contains "content-disposition" "x" { discard; }
