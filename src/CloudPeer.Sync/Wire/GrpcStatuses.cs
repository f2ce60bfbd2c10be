using Grpc.Core;
using Tlfs.Core;

namespace CloudPeer.Sync.Wire;

/// <summary>Which gRPC status carries a reason (docs/protocol/errors.md); the same table as the page's, and a test compares the two.</summary>
public static class GrpcStatuses
{
    /// <summary>The status, or null for reasons that never leave the place where they arise.</summary>
    public static StatusCode? Of(Reason reason) => reason switch
    {
        Reason.Internal => StatusCode.Internal,
        Reason.TooLarge or Reason.Malformed or Reason.WrongDocument or Reason.BadSignature or Reason.PartHash or Reason.BadArgument
            => StatusCode.InvalidArgument,
        Reason.Unsupported => StatusCode.Unimplemented,
        Reason.ChainBroken or Reason.ChainBehind or Reason.Equivocation or Reason.AuthorUnknown or Reason.DepsMissing or Reason.NotHosted or Reason.PolicyMoved
                or Reason.SubscriptionReadOnly
            => StatusCode.FailedPrecondition,
        Reason.NotAuthorised or Reason.RegistrationClosed => StatusCode.PermissionDenied,
        Reason.Unauthenticated or Reason.BadProof => StatusCode.Unauthenticated,
        Reason.NotFound => StatusCode.NotFound,
        Reason.QuotaExceeded or Reason.RateLimited or Reason.InboxFull => StatusCode.ResourceExhausted,
        Reason.Unavailable or Reason.StorageFull => StatusCode.Unavailable,
        Reason.Timeout => StatusCode.DeadlineExceeded,
        _ => null,
    };
}
