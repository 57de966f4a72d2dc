! Module procedures, and procedures contained in them and in the program. Built without inlining.
module waves
  use iso_c_binding
  implicit none
  interface
     subroutine stacks_enter(name) bind(c)
       import :: c_char
       character(kind=c_char), intent(in) :: name(*)
     end subroutine
     subroutine stacks_leave() bind(c)
     end subroutine
     subroutine stacks_stay() bind(c)
     end subroutine
     subroutine waves_begin() bind(c)
     end subroutine
  end interface
  ! Kept by address, hence with the life of the program
  character(kind=c_char, len=*), parameter :: nul = c_null_char
  character(len=32), target, save :: n_main = "main"//nul, n_program = "MAIN__/coast"//nul, &
       n_travel = "waves::travel"//nul, n_crest = "travel::crest/crest"//nul, n_sum = "waves::total"//nul, &
       n_shore = "coast::shore/shore"//nul
  integer, volatile :: seen = 0
contains
  subroutine travel(n, height)
    integer, intent(in) :: n
    real, intent(inout) :: height(n)
    call stacks_enter(n_travel)
    call crest(n)
    seen = seen + 1
    call stacks_leave()
  contains
    subroutine crest(m)
      integer, intent(in) :: m
      call stacks_enter(n_crest)
      height(m) = total(height)
      call stacks_leave()
    end subroutine
  end subroutine

  function total(height) result(s)
    real, intent(in) :: height(:)
    real :: s
    call stacks_enter(n_sum)
    call stacks_stay()
    s = sum(height)
    call stacks_leave()
  end function
end module

program coast
  use waves
  implicit none
  real :: height(10) = 1.0
  call waves_begin()
  call stacks_enter(n_main)
  call stacks_enter(n_program)
  call shore()
  seen = seen + 1
contains
  subroutine shore()
    call stacks_enter(n_shore)
    call travel(10, height)
    seen = seen + 1
    call stacks_leave()
  end subroutine
end program
