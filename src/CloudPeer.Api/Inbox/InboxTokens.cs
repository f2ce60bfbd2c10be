using CloudPeer.Api.Data;
using Microsoft.EntityFrameworkCore;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Api.Inbox;

/// <summary>Who is a contact of an account: whoever presents the token whose hash the account has set (docs/protocol/sync.md §4.2).</summary>
internal sealed class InboxTokens(IDbContextFactory<HostDatabase> databases)
{
    /// <summary>True if the account has set a token and this is it. Takes as long if there is none, and one that is wrong in any place.</summary>
    public async Task<bool> IsContactAsync(AccountId account, ReadOnlyMemory<byte> token, CancellationToken cancellationToken)
    {
        if (token.IsEmpty) return false;
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var stored = await Owner(database, account).Select(owner => owner.TokenHash).SingleOrDefaultAsync(cancellationToken);
        return Hashing.FixedTimeEquals(DeliveryToken.HashOf(token.Span), new(stored ?? new byte[Bytes32.Size])) && stored is not null;
    }

    /// <summary>Sets what contacts present; of two requests the one that was made later holds, in whatever order they come.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.BadProof"/>: a later one was here already, so this is a repetition of an older one.</exception>
    public async Task SetAsync(AccountId account, Bytes32? hash, ulong micros, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var (key, value, made) = (account.Value.ToArray(), hash?.ToArray(), (long)micros);
        var changed = await database.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO inbox (account, received, token_hash, token_micros) VALUES ({key}, 0, {value}, {made})
             ON CONFLICT (account) DO UPDATE SET token_hash = excluded.token_hash, token_micros = excluded.token_micros
             WHERE inbox.token_micros <= excluded.token_micros
             """,
            cancellationToken);
        if (changed == 0) throw new TlfsException(Reason.BadProof, "a delivery token that was made later is set already");
    }

    private static IQueryable<InboxOwner> Owner(HostDatabase database, AccountId account) =>
        database.Set<InboxOwner>().AsNoTracking().Where(owner => owner.Account == account);
}
