! memlog.h for Fortran: compile this file with the program, and "use memlog".
!
!   call memlog_region_begin('assemble')
!   call memlog_region_end('assemble')
!   call memlog_mark('mesh refined')
!
! Nothing to link (before glibc 2.34: -ldl); where the program is not recorded, these do nothing.
module memlog
    use, intrinsic :: iso_c_binding
    implicit none
    private
    public :: memlog_region_begin, memlog_region_end, memlog_mark

    abstract interface
        subroutine takes_text(text) bind(c)
            import :: c_char
            character(kind=c_char), intent(in) :: text(*)
        end subroutine takes_text
    end interface

    interface
        function dlsym(handle, symbol) bind(c, name='dlsym')
            import :: c_ptr, c_funptr, c_char
            type(c_ptr), value :: handle
            character(kind=c_char), intent(in) :: symbol(*)
            type(c_funptr) :: dlsym
        end function dlsym
    end interface

contains

    ! c_null_ptr is RTLD_DEFAULT.
    subroutine hand_on(symbol, text)
        character(*), intent(in) :: symbol, text
        procedure(takes_text), pointer :: found
        type(c_funptr) :: address

        address = dlsym(c_null_ptr, symbol // c_null_char)
        if (.not. c_associated(address)) return
        call c_f_procpointer(address, found)
        call found(trim(text) // c_null_char)
    end subroutine hand_on

    subroutine memlog_region_begin(name)
        character(*), intent(in) :: name
        call hand_on('memlog_hook_region_begin', name)
    end subroutine memlog_region_begin

    subroutine memlog_region_end(name)
        character(*), intent(in) :: name
        call hand_on('memlog_hook_region_end', name)
    end subroutine memlog_region_end

    subroutine memlog_mark(text)
        character(*), intent(in) :: text
        call hand_on('memlog_hook_mark', text)
    end subroutine memlog_mark

end module memlog
