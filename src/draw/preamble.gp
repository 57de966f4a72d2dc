#   gnuplot FILE.gp                           a window, or a drawing in the terminal
#   gnuplot -e 'out="x.png"' FILE.gp          png, svg, pdf or eps
#   gnuplot -e 'dark=1; out="x.svg"' FILE.gp  dark
if (!exists("out")) out = ""
if (!exists("form")) form = strlen(out) > 4 ? out[strlen(out)-2:] : ""
if (!exists("font")) font = "sans"
if (!exists("fs")) fs = 11
set encoding utf8
# ---- colours, told apart by colour-blind eyes too
bg = dark ? "#10151b" : "#ffffff"
fg = dark ? "#e6ebf0" : "#1f2730"
mut = dark ? "#94a1ae" : "#5d6873"
grd = dark ? "#222b34" : "#e9ecef"
axc = dark ? "#46525e" : "#aab3bc"
thin = dark ? "#52667c" : "#b9c6d6"
lim = dark ? "#ff6b63" : "#c8202f"
band = dark ? "#361f22" : "#fdeced"
colours = dark ? "#6aa9ff #ffb454 #cf7fc9 #b9c0ca #8f5cff #ff5252" : "#2a6fdb #e8830c #8c3f86 #868c96 #4a12a0 #c81e2f"
if (hues eq "colour-blind") {
  colours = dark ? "#56b4e9 #e69f00 #2fc79a #cc79a7 #f0e442 #ff7f3f" : "#0072b2 #e69f00 #009e73 #cc79a7 #56b4e9 #d55e00"
}
if (hues eq "grey") {
  colours = dark ? "#ffffff #9a9a9a" : "#000000 #8a8a8a"
  lim = dark ? "#d0d0d0" : "#3c3c3c"; band = dark ? "#242424" : "#f0f0f0"; thin = dark ? "#5a5a5a" : "#c0c0c0"
}
col(i) = word(colours, (i-1)%words(colours)+1)
# more curves than colours are told apart by signs upon them; in grey, by dashes too
turn(i) = ((i-1)/words(colours))%5
sign(i) = int(word("0 7 5 13 11", turn(i)+1))
dash(i) = hues eq "grey" ? turn(i)+1 : 1
# ---- places on the screen, in px
px(x) = x/(1.0*wide)
py(y) = 1-y/(1.0*high)
# ---- terminal
window = 0; text = 0; psf = 1; cross = 0.85; top = 1.1; bold = ":Bold"; mono = "monospace"; looked_up = 0
has(t) = strstrt(GPVAL_TERMINALS, " ".t." ")
wanted = form eq "svg" ? "svg" : form eq "png" ? "pngcairo" : form eq "pdf" ? "pdfcairo" : form eq "eps" ? "epscairo" : form eq "tex" ? "tikz" : ""
if (wanted ne "" && !has(wanted)) { exit error "this gnuplot has no ".wanted." terminal; install gnuplot-nox or gnuplot-qt" }
if (form eq "tex" && !tex) { exit error "texts are not for TeX here; memlog plot -o FILE.tex makes them so" }
if (form eq "svg") {
  # its fonts come out small, its crosses thin; ":Bold" would need enhanced text
  psf = 0.95*zoom; cross = 1.25; top = 0.8; fs = fs*1.3*zoom; bold = " Bold"; if (font eq "sans") { font = "sans-serif" }
  looked_up = exists("keys")
  set term svg size wide*zoom,high*zoom background bg font sprintf("%s,%d",font,0.5+fs) linewidth zoom
}
if (form eq "pdf") {
  psf = 0.85
  set term pdfcairo size wide*zoom/96.,high*zoom/96. background bg font sprintf("%s,%d",font,0.5+fs) fontscale 0.75*zoom linewidth 1.25*zoom pointscale zoom
}
if (form eq "eps") {
  psf = 0.85
  set term epscairo size wide*zoom/96.,high*zoom/96. background bg font sprintf("%s,%d",font,0.5+fs) fontscale 0.75*zoom linewidth 1.25*zoom pointscale zoom
}
if (form eq "tex") {
  # its fonts are TeX's, by commands; they have no scale
  psf = 0.7*zoom; top = 0.7; fs = fs*zoom; font = "\\sffamily"; bold = "\\bfseries"; mono = "\\ttfamily"
  eval sprintf("set term tikz size %.3fcm,%.3fcm font '%s,%d' linewidth %.3f background '%s'",wide*zoom*2.54/96,high*zoom*2.54/96,font,0.5+fs,1.25*zoom,bg)
}
if (form eq "png") {
  psf = 0.9
  set term pngcairo size int(wide*zoom*scale+0.5),int(high*zoom*scale+0.5) background bg font sprintf("%s,%d",font,0.5+fs) fontscale zoom*scale linewidth zoom*scale pointscale zoom*scale
}
if (form eq "") {
  # qt and wxt are listed without a display too: qt would hang and wxt exit
  display = system('printf %s "$DISPLAY$WAYLAND_DISPLAY"')
  which = system('printf %s "$GNUTERM"')
  if (!(which eq "qt" || which eq "wxt" || which eq "x11") || !has(which)) {
    which = has("qt") ? "qt" : has("wxt") ? "wxt" : has("x11") ? "x11" : ""
  }
  if (exists("driven") && which eq "") { set print "-"; print "NO WINDOW"; exit }
  if (display eq "" || which eq "") {
    text = 1
    lines = system("stty size 2>/dev/null </dev/tty || echo 30 100")
    tw = int(word(lines,2)); th = int(word(lines,1))-2
    if (tw < 40) { tw = 100 }
    if (th < 12) { th = 28 }
    if (has("block")) { set term block braille size tw,th ansirgb } else { set term dumb size tw,th ansirgb }
  } else {
    window = 1; fs = fs*zoom; psf = zoom
    # qt wants whole font sizes; x11 raises errors with an encoding of utf8, which end "pause mouse"
    if (which eq "qt") { looked_up = 1; set term qt size wide*zoom,high*zoom title name font sprintf("%s,%d",font,0.5+fs) }
    if (which eq "wxt") { looked_up = 1; set term wxt size wide*zoom,high*zoom title name font sprintf("%s,%d",font,0.5+fs) }
    if (which eq "x11") { psf = 1.7*zoom; set encoding default; set term x11 size wide*zoom,high*zoom title name }
    set obj 1 rect from screen 0,screen 0 to screen 1,screen 1 behind fc rgb bg fs solid noborder
    set mouse
    set mouse nozoomcoordinates
    bind all "q" "exit gnuplot"
    bind all "l" ""  # a log scale, of which places of names and units know nothing
    bind all "L" ""
  }
}
if (!text) { set termoption noenhanced }
if (out ne "") { set output out }
# ---- frame
set border 1 lw 0.8 lc rgb axc
set tics nomirror out scale 0.6,0.3 textcolor rgb mut
set ytics scale 0
set grid y lt 1 lw 0.7 lc rgb grd
set style textbox opaque noborder fillcolor rgb bg margins 0.4,0.3
unset key
