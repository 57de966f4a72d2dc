#!/usr/bin/env gnuplot
# Written by memlog plot, for gnuplot 5.2 or newer.
if (!exists("dark")) dark = 0
#   gnuplot FILE.gp                           a window, or a drawing in the terminal
#   gnuplot -e 'out="x.png"' FILE.gp          png, svg or pdf
#   gnuplot -e 'dark=1; out="x.svg"' FILE.gp  dark
if (!exists("out")) out = ""
if (!exists("form")) form = strlen(out) > 4 ? out[strlen(out)-2:] : ""
if (!exists("font")) font = "sans"
if (!exists("fs")) fs = 11
if (!exists("wide")) wide = 1200
if (!exists("high")) high = 680
if (!exists("scale")) scale = 2
set encoding utf8
# ---- colours, told apart by colour-blind eyes too
bg = dark ? "#10151b" : "#ffffff"
fg = dark ? "#e6ebf0" : "#1f2730"
mut = dark ? "#94a1ae" : "#5d6873"
grd = dark ? "#222b34" : "#e9ecef"
axc = dark ? "#46525e" : "#aab3bc"
colours = dark ? "#6aa9ff #ffb454 #cf7fc9 #b9c0ca #8f5cff #ff5252" : "#2a6fdb #e8830c #8c3f86 #868c96 #4a12a0 #c81e2f"
col(i) = word(colours, (i-1)%6+1)
dash(i) = (i-1)/6+1
# ---- terminal
window = 0; text = 0; psf = 1; bold = ":Bold"
if (form eq "svg") {
  fs = fs*1.3; bold = " Bold"; if (font eq "sans") { font = "sans-serif" }
  set term svg size wide,high background bg font sprintf("%s,%d",font,0.5+fs)
}
if (form eq "pdf") {
  psf = 0.85
  set term pdfcairo size wide/96.,high/96. background bg font sprintf("%s,%d",font,0.5+fs) fontscale 0.75 linewidth 1.25
}
if (form eq "png") {
  psf = 0.9
  set term pngcairo size int(wide*scale),int(high*scale) background bg font sprintf("%s,%d",font,0.5+fs) fontscale scale linewidth scale pointscale scale
}
if (form eq "") {
  display = system('printf %s "$DISPLAY$WAYLAND_DISPLAY"')
  has(t) = strstrt(GPVAL_TERMINALS, " ".t." ")
  if (display eq "" || !(has("qt") || has("wxt") || has("x11"))) {
    text = 1
    lines = system("stty size 2>/dev/null </dev/tty || echo 30 100")
    tw = int(word(lines,2)); th = int(word(lines,1))-2
    if (tw < 40) { tw = 100 }
    if (th < 12) { th = 28 }
    if (has("block")) { set term block braille size tw,th ansirgb } else { set term dumb size tw,th ansirgb }
  } else {
    window = 1
    if (has("qt")) { set term qt size wide,high font sprintf("%s,%d",font,0.5+fs) } else {
    if (has("wxt")) { set term wxt size wide,high font sprintf("%s,%d",font,0.5+fs) } else { set encoding default; set term x11 size wide,high } }
    set obj 1 rect from screen 0,screen 0 to screen 1,screen 1 behind fc rgb bg fs solid noborder
    set mouse
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
$run1 << EOD
0 0.292969
100 2
700 1.46484
900 1.46484
EOD
$run2 << EOD
0 0.195312
250 0.878906
400 0.878906
EOD
set label 901 "Resident memory" at screen 0.020, screen 0.948 left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*1.5) tc rgb fg
set label 902 "2 runs" at screen 0.020, screen 0.896 left noenhanced tc rgb mut
set label 903 "GiB" at graph 0, graph 1.04 offset character -1.2,0 right tc rgb mut
set label 904 "elapsed" at graph 1, graph 0 offset character 1.2,character -1.12 left tc rgb mut
set lmargin screen 0.066; set rmargin screen 0.905
set tmargin screen 0.82; set bmargin screen 0.088
set xrange [0:900]; set yrange [0:2.28]; set ytics 0.5
set xtics time format "%1tM:%S" 120
set mxtics 2
set label 41 "\0342\0200\0265fast\0342\0200\0265" at 400, first 0.878906 offset character 0.8,character -0.75 left noenhanced tc rgb col(2) font sprintf("%s%s,%d",font,bold,0.5+fs) front boxed
set label 40 "slow" at graph 1, first 1.46484 offset character 1.2,0 left noenhanced tc rgb col(1) font sprintf("%s%s,%d",font,bold,0.5+fs) front boxed
set label 1000 "peak 2.00 GiB at 1:40.0" at 100, first 2 point pt 7 ps 0.9*psf lc rgb col(1) left offset 0,character 1.1 noenhanced tc rgb col(1) font sprintf("%s,%d",font,0.5+fs*0.92) front boxed
set label 1001 "peak 900 MiB at 4:10.0" at 250, first 0.878906 point pt 7 ps 0.9*psf lc rgb col(2) center offset 0,character 1.1 noenhanced tc rgb col(2) font sprintf("%s,%d",font,0.5+fs*0.92) front boxed
array names[2]
names[1] = "slow"
names[2] = "\0342\0200\0265fast\0342\0200\0265"
if (text) {
  unset label; unset grid; set border 3; set lmargin -1; set rmargin 2
  set tmargin -1; set bmargin -1; set mxtics 1
  set title "resident memory, all ranks (GiB)" noenhanced
  set key tmargin center horizontal samplen 3 noenhanced
  plot for [k=1:2] sprintf("$run%d",k) using 1:2 with steps lc rgb col(k) title names[k]
  exit
}
plot for [k=1:2] sprintf("$run%d",k) using 1:2 with steps lw 3.6 lc rgb bg notitle, \
     for [k=1:2] sprintf("$run%d",k) using 1:2 with steps lw 1.7 dt dash(k) lc rgb col(k) notitle
if (window) { pause mouse close }
set output
