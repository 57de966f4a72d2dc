! ALLOCATE: arrays that stay, and arrays that go.
module owners
    implicit none
    type :: array
        real(8), allocatable :: values(:)
    end type
contains
    subroutine own_field(a)
        type(array), intent(inout) :: a
        allocate(a%values(2000))
        a%values(1) = 1
    end subroutine
end module

program known_fortran
    use owners
    implicit none
    type(array), allocatable, save :: fields(:)
    integer :: i
    allocate(fields(3000))
    do i = 1, 3000
        call own_field(fields(i))
    end do
    do i = 1, 3000, 2
        deallocate(fields(i)%values)
    end do
    print '(a)', '{"owner": "own_field", "size": 16000, "allocated": 3000, "live": 1500}'
end program
