# ---- window: a click on a mark prints what is behind it
if (window) {
  if (exists("driven")) {
    set print "-"
    bind all "Button1" "print sprintf('CLICK %.17g %.17g %.17g %.17g %.17g %.17g', MOUSE_X, MOUSE_Y, GPVAL_X_MIN, GPVAL_X_MAX, GPVAL_Y_MIN, GPVAL_Y_MAX)"
    print "READY"
  } else {
    up(v) = GPVAL_Y_LOG > 0 ? log(v) : v
    far(i) = ((MX[i]-MOUSE_X)/(GPVAL_X_MAX-GPVAL_X_MIN)*wide*0.85)**2 + ((up(MY[i])-up(MOUSE_Y))/(up(GPVAL_Y_MAX)-up(GPVAL_Y_MIN))*high*0.73)**2
    bind all "Button1" "near=1; do for [i=2:|MX|] { if (far(i)<far(near)) { near=i } } ; if (far(near)<=196) { print MT[near] }"
  }
  pause 0.3  # x11 sends an event of its own after the first plot
  pause mouse close
}
