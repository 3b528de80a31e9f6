"""What exported packages are made of beside the policy: these modules are copied, and import nothing of MetaMuse."""
