using CloudPeer.Api.Accounts;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Keys;

/// <summary>Hands out account cards (docs/protocol/account.md §1). A card proves itself, so nobody has to trust the server for it.</summary>
internal static class KeyFeature
{
    public static void MapKeys(this IEndpointRouteBuilder app) => app.MapGrpcService<KeyService>();
}

/// <summary>The <c>Keys</c> service.</summary>
internal sealed class KeyService(AccountDirectory accounts) : V1.Keys.KeysBase
{
    public override async Task<V1.GetCardResponse> GetCard(V1.GetCardRequest request, ServerCallContext context)
    {
        var card = request.WhoCase switch
        {
            V1.GetCardRequest.WhoOneofCase.Account => await accounts.FindCardAsync(WireIds.Read<AccountId>(request.Account, "account"), context.CancellationToken),
            V1.GetCardRequest.WhoOneofCase.Peer => await accounts.FindCardAsync(WireIds.Read<PeerId>(request.Peer, "peer"), context.CancellationToken),
            _ => throw new TlfsException(Reason.Malformed, "account or peer is needed"),
        };
        return new() { Card = UnsafeByteOperations.UnsafeWrap(card ?? throw new TlfsException(Reason.NotFound, "there is no such account here")) };
    }
}
