// SPDX-License-Identifier: GPL-2.0
//@ error: E0277
//@ message: between threads safely

// What a callback is given is used on the thread that it is called on.

include!("../common/kms.rs");

fn check() {
    #[cfg(not(wrong))]
    {
        is_send::<&Plane<CasePlane>>();
        is_send::<&PlaneState<CasePlane>>();
        is_send::<KmsRef<Crtc<CaseCrtc>>>();
        is_send::<KmsRef<Framebuffer<Case>>>();
    }

    #[cfg(wrong)]
    {
        is_send::<KmsSetup<'static, Case>>(); //~
        is_sync::<KmsSetup<'static, Case>>(); //~
        is_send::<AtomicCheck<'static, Case>>(); //~
        is_sync::<AtomicCheck<'static, Case>>(); //~
        is_send::<AtomicCommit<'static, Case>>(); //~
        is_sync::<AtomicCommit<'static, Case>>(); //~
        is_send::<PlaneStateMut<'static, CasePlane>>(); //~
        is_sync::<PlaneStateMut<'static, CasePlane>>(); //~
        is_send::<CrtcStateMut<'static, CaseCrtc>>(); //~
        is_sync::<CrtcStateMut<'static, CaseCrtc>>(); //~
        is_send::<CommitTail<'static, Case>>(); //~
        is_send::<HwDone<'static, Case>>(); //~
        is_send::<FlipDone<'static, Case>>(); //~
        is_send::<ConnectorProbe<'static, CaseConnector>>(); //~
        is_sync::<ConnectorProbe<'static, CaseConnector>>(); //~
    }
}
