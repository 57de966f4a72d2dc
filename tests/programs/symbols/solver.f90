! Module procedures, contained ones, and procedures of no module.
module solver
    implicit none
    type :: state
        integer :: n = 0
    end type
contains
    subroutine step(s, x)
        class(state), intent(inout) :: s
        integer, intent(in) :: x
        call add(x)
    contains
        subroutine add(y)
            integer, intent(in) :: y
            s%n = s%n + y
            call outside(s%n)
        end subroutine
    end subroutine
end module

subroutine outside(x)
    integer, intent(inout) :: x
    x = x + 1
end subroutine

program main_program
    use solver
    type(state) :: s
    call step(s, 2)
    if (s%n < 0) stop 1
end program
