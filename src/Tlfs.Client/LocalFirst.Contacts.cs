using Tlfs.Core;
using Tlfs.Core.Ids;

namespace Tlfs.Client;

// Who is a contact, and who is shut out (docs/protocol/sync.md §4).
public sealed partial class LocalFirst
{
    /// <summary>
    /// Shuts somebody out: what waits from them is dropped, their messages are thrown away from now on, and <see cref="RotateDeliveryTokenAsync"/> makes them a
    /// stranger at this account's cloudpeers. Grants are not touched. Inviting somebody lets them in again. <c>card-unknown</c>.
    /// </summary>
    public async Task BlockAsync(AccountId account, CancellationToken cancellationToken = default)
    {
        await _home.DoAsync(
            () => _home.Database.Write(() =>
            {
                if (!_home.Contacts.Block(account, true)) throw new TlfsException(Reason.CardUnknown, "nobody with that id has written to this account or was invited by it");
                foreach (var invitation in _home.People.OpenInvitations().Where(invitation => invitation.From.Account == account)) _home.People.Answer(invitation.Id);
                return true;
            }),
            cancellationToken);
        await RotateDeliveryTokenAsync(cancellationToken);
    }

    /// <summary>
    /// Replaces what contacts present to this account's inboxes: at the cloudpeers that can be reached now, else by the next <see cref="SyncAsync"/>. All contacts are
    /// sent the new token, sealed; whoever is not becomes a stranger, who may send little and seldom.
    /// </summary>
    public async Task RotateDeliveryTokenAsync(CancellationToken cancellationToken = default)
    {
        await _home.DoAsync(
            () => _home.Database.Write(() =>
            {
                _home.Contacts.Renew();
                _mailbox.EnqueueTokens(_home.Contacts.All());
                return true;
            }),
            cancellationToken);
        var own = await CloudpeersAsync(cancellationToken);
        await WithinAsync(BestEffort, token => Task.WhenAll(own.Select(cloudpeer => SetTokenAsync(cloudpeer, token))), cancellationToken);
        await WithinAsync(BestEffort, _mailbox.SendAsync, cancellationToken);
    }

    private async Task SetTokenAsync(CloudpeerState cloudpeer, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await _connector.ConnectAsync(cloudpeer.Url, cloudpeer.Server, cancellationToken);
            await _mailbox.SetTokenAsync(connection, cloudpeer.Url, cancellationToken);
        }
        catch (TlfsException)
        {
            // It is not noted as told, so the next sync tells it, or says what is wrong with that server.
        }
    }
}
